"""Columns that name or find a person, by their names in many tongues and by their values: they are never read."""

from __future__ import annotations

import re

import pandas as pd

from graphrec.door import privacy
from graphrec.read import proof
from graphrec.read.columns import normal

LOOKED_AT = 200  # distinct values
_NAMES = re.compile(
    r"name|mail|phone|mobile|address|adresse|strasse|straße|street|zip|postal|postcode|plz|birth|geburt|profile|url|link|"
    r"image|photo|picture|avatar|iban|ssn|passw|passport|ipaddr|telefon|teléfono|téléphone|handynummer|"
    r"apellido|correo|direccion|dirección|móvil|codpostal|documentoidentidad|"
    r"prenom|prénom|courriel|cognome|indirizzo|codicefiscale|sobrenome|endereco|endereço|"
    r"姓名|氏名|名前|电话|電話|手机|手機|邮箱|メール|地址|住址|住所|邮编|身份证|微信"
)
_WORDS = (  # too short to be looked for inside a name: nom stands in economy
    "nombre nom nome calle rue via dni nif nie cpf cnpj ip contact kontakt contacto handy celular movil portable fax "
    "hausnummer domicilio taxid vatid"
)
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}|(?=.*:.*:)[0-9a-f:]{3,39}", re.IGNORECASE)  # of a computer


def is_personal(column: str) -> bool:
    """Whether a column of a table of users could name or find a person, by its name. Such columns are never read."""
    name = normal(column)
    return name in _WORDS.split() or _NAMES.search(name) is not None


def holds_personal(values: pd.Series) -> bool:
    """Whether most values are nothing but an e-mail address, a phone or card number, or the address of a computer."""
    found = proof.present(values).drop_duplicates().iloc[:LOOKED_AT]
    return len(found) > 0 and 2 * sum(map(_is_contact, found)) > len(found)


def _is_contact(value: str) -> bool:
    if _ADDRESS.fullmatch(value):
        return True
    return any(end - start == len(value) for start, end, _ in privacy.find(value))
