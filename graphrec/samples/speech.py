"""What reviewers of the synthetic shop say in other languages than English: short, with planted opinions."""

from __future__ import annotations

from typing import NamedTuple


class Speech(NamedTuple):
    """One language. Slots: {noun}, {brand}.

    aspects: what is judged → how it is praised, and how complained of. nouns: kinds of goods. themes: scenes of hidden
    themes, described and reviewed by one sentence each; () where the language has none.
    """

    nouns: tuple[str, ...]
    brands: tuple[str, ...]
    openings: tuple[str, ...]
    aspects: dict[str, tuple[str, str]]
    themes: tuple[str, ...] = ()
    stop: str = ". "


CHINESE = Speech(
    nouns=("吉他", "耳机", "键盘", "音箱", "话筒", "口琴", "小提琴", "电子鼓"),
    brands=("青石", "松野", "南屏", "云杉", "海棠", "北泉", "白鹭", "晴川"),
    openings=(
        "上个月买了这款{noun}",
        "朋友推荐的{brand}{noun}",
        "用了两个星期",
        "第二次买{brand}的东西",
        "收到货就试了试",
    ),
    aspects={
        "音色": ("音色很好听", "音色太差"),
        "手感": ("手感非常舒服", "手感粗糙"),
        "做工": ("做工精细", "做工很差"),
        "包装": ("包装完好", "包装破损"),
        "价格": ("价格很实惠", "价格太贵"),
        "外观": ("外观漂亮", "外观很难看"),
        "电池": ("电池很耐用", "电池不耐用"),
        "物流": ("物流很快", "物流太慢"),
        "音量": ("音量清晰", "音量不够"),
        "按键": ("按键灵敏", "按键失灵"),
    },
    themes=(
        "出差带着它坐飞机进酒店都方便，行李箱放得下",
        "复古的样子像六十年代的老物件",
        "夜里在公寓练习也吵不到邻居",
        "舞台上灯光下演出，观众都看得见",
        "在录音棚里录唱片做混音都合适",
        "孩子上第一节课，初学者也能跟上",
        "露营和海边的篝火晚会正好用得上",
        "教堂里的合唱团唱诗时正好用得上",
        "爵士和摇摆乐的即兴演奏正好用得上",
        "民谣之夜在酒馆里合奏正好用得上",
        "街头卖艺时路人都停下来听",
        "交响乐团的指挥和音乐厅正好用得上",
    ),
    stop="。",
)
GERMAN = Speech(
    nouns=("Gitarre", "Trommel"),
    brands=("Osterhall", "Tamber"),
    openings=("Vor zwei Wochen kam das Paket an", "Wir haben lange gesucht"),
    aspects={
        "Klang": ("Der Klang ist hervorragend", "Der Klang ist leider dumpf"),
        "Verarbeitung": ("Auch die Verarbeitung ist sauber", "Auch die Verarbeitung ist mangelhaft"),
        "Griff": ("Außerdem liegt der Griff angenehm in der Hand", "Außerdem ist der Griff sehr unbequem"),
        "Preis": ("Und der Preis ist günstig", "Und der Preis ist überteuert"),
    },
)
OTHERS = {  # told in whole sentences
    "fr": ("Le son est magnifique et je le recommande à tous mes amis.", "La qualité est très mauvaise, je suis déçu."),
    "es": (
        "El sonido es magnífico y lo recomiendo a todos mis amigos.",
        "La calidad es muy mala y llegó roto a mi casa.",
    ),
    "ru": ("Звук просто великолепный, всем рекомендую эту вещь.", "Качество очень плохое, сломалось через неделю."),
    "ar": ("الصوت رائع جدا وأنصح به جميع أصدقائي.", "الجودة سيئة جدا وقد انكسر بعد أسبوع واحد."),
    "ja": ("音がとても良くて、友達みんなに勧めています。", "品質がとても悪くて、一週間で壊れました。"),
    "ko": ("소리가 정말 좋아서 친구들에게 추천합니다.", "품질이 너무 나빠서 일주일 만에 고장 났어요."),
}
