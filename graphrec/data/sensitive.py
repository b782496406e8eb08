"""Attributes of people that nothing is learned from unless somebody says so: gender, age, origin, belief, health, …

They are the special categories of personal data of the GDPR (article 9), and gender and age, by which people may not be
treated unequally either. They are recognised by name, in English, German, French, Spanish and Chinese, and gender and
religion by their values too.
"""

from __future__ import annotations

import re
import unicodedata

import pandas as pd


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORDS = _set(  # of a name, in lower case and without accents
    """
    gender sex sexe sexo geschlecht genero
    age ages aged yob dob bday agegroup ageband agerange ageclass alter edad
    religion religious faith denomination church konfession glaube confession
    race ethnicity origin origins ancestry nationality citizenship herkunft nation origine origen raza
    rasse health healthy illness disease diseases medical diagnosis disability disabled handicap krankheit sante
    maladie salud enfermedad pregnant pregnancy
    orientation lgbt lgbtq sexuality
    politics political party parti partei partido voter
    union unionmember gewerkschaft syndicat sindicato
    """
)
_STEMS = re.compile(
    r"birth|geburt|geboren|naissance|nacimiento|ethni|etnia|etnic|racial|ethnie|religi|muslim|christian|jewish"
    r"|nationalit|nacionalid|staatsangeh|gesundheit|krank|behinder|disabilit|discapac|handicap|sexual|sexuel"
    r"|politi[ckqs]|parteizu|gewerkschaft|altersgr|altersk|lebensalter|genderid|agegroup|ageband|agerange|tranchedage"
)
_CHINESE = re.compile(
    "性别|性別|年龄|年齡|年纪|出生|生日|宗教|信仰|民族|种族|種族|国籍|國籍|籍贯|籍貫|健康|疾病|残疾|殘疾|性取向|政治|党派|黨派|工会|工會"
)
_GENDERS = _set(
    """
    m f w d x male female man woman men women diverse divers other unknown non-binary nonbinary
    männlich weiblich mann frau homme femme hombre mujer masculin féminin masculino femenino h 男 女 男性 女性
    """
)
_SURE_GENDERS = _GENDERS - _set("m f w d x h diverse divers other unknown")
_PAIRS = ({"m", "f"}, {"m", "w"}, {"h", "f"}, {"h", "m"})
_RELIGIONS = _set(
    """
    christian christianity catholic protestant orthodox muslim islam jewish judaism jew hindu hinduism buddhist buddhism
    sikh sikhism atheist atheism agnostic christlich katholisch evangelisch muslimisch jüdisch konfessionslos chrétien
    catholique musulman juif bouddhiste cristiano católico musulmán judío ateo athée
    基督教 天主教 佛教 伊斯兰教 道教 无宗教
    """
)


def is_sensitive(name: str, known: pd.Series[str]) -> bool:
    """Whether a column of a table of people is sensitive, by its name or its values.

    Args:
        known: the values that are not missing.
    """
    if _CHINESE.search(name) is not None:
        return True
    plain = _plain(name)
    words = set(re.findall(r"[a-z]+", plain))
    joined = re.sub(r"[^a-z]", "", plain)
    if words & _WORDS or joined in _WORDS or _STEMS.search(joined) is not None:
        return True
    values = {str(v).strip().casefold() for v in known.unique()[:100]}
    return _are_genders(values) or (len(values & _RELIGIONS) >= 2 and 2 * len(values & _RELIGIONS) > len(values))


def _are_genders(values: set[str]) -> bool:
    if len(values) < 2 or not values <= _GENDERS:
        return False
    return bool(values & _SURE_GENDERS) or any(pair <= values for pair in _PAIRS)


def _plain(name: str) -> str:
    """In lower case, without accents, the words of ``ageBand`` apart."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    decomposed = unicodedata.normalize("NFKD", apart.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
