"""Which column is which: names in many tongues, and which columns are nobody's business."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import pandas as pd

Role: TypeAlias = Literal[
    "user_id",
    "item_id",
    "rating",
    "count",
    "dwell",
    "label",
    "kind",
    "timestamp",
    "time_of_day",
    "text",
    "summary",
    "reviewer_name",
    "latitude",
    "longitude",
    "title",
    "key",
    "value",
    "friends",
    "friend_id",
    "head",
    "relation",
    "tail",
    "entity",
    "entity_label",
]
ROLES: tuple[Role, ...] = get_args(Role)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# names in lower case without separators, the likeliest first
ROLES_OF_VALUES: tuple[Role, ...] = ("rating", "count", "dwell")  # what the value of an event may be, the best first
SYNONYMS: Mapping[Role, tuple[str, ...]] = {
    "user_id": _names(
        "userid user uid customerid customer reviewerid visitorid visitor shopperid shopper memberid member msno "
        "clientid client buyerid buyer purchaserid accountid account subscriberid personid profileid consumerid "
        "patronid readerid listenerid viewerid playerid studentid learnerid usersha1 userno usernum usernumber "
        "usercode customerno customernumber customercode membernumber membernr "
        "kundenid kunde kundennummer kundennr kdnr nutzerid nutzer benutzerid benutzer käufer kaeufer käuferid "
        "utilisateur utilisateurid clientnumero usuario usuarioid idusuario cliente clienteid idcliente utente "
        "用户 用户id 用户编号 用户名 会员 会员id 会员编号 顾客 顾客id 客户 客户id 客户编号 买家 买家id "
        "ユーザー ユーザーid "
        "visitornumber reviewername username sessionid session"
    ),
    "item_id": _names(
        "itemid item iid productid product parentasin asin articleid article sku skuid movieid movie filmid film "
        "bookid book isbn songid song trackid track artistid artist artmbid albumid album businessid business "
        "restaurantid hotelid placeid place poiid poi venueid venue locationid newsid news gameid game appid "
        "recipeid recipe videoid video courseid course jobid animeid mangaid showid podcastid contentid goodsid "
        "goods merchandiseid offerid listingid productcode productno productnumber itemno itemnumber itemcode "
        "itemsku productsku stockcode articleno articlenumber articlecode ean gtin upc barcode "
        "artikelid artikel artikelnummer artikelnr artnr produktid produkt produktnummer ware warennummer "
        "produit produitid producto productoid idproducto articulo prodotto "
        "商品 商品id 商品编号 商品编码 物品 物品id 产品 产品id 产品编号 货号 电影 电影id 书籍 图书 店铺 "
        "店铺id アイテム 商品コード"
    ),
    "rating": _names(
        "rating overall score stars star starrating ratingvalue reviewrating reviewscore userrating userscore "
        "bookrating movierating ratingscore ratings myrating yourrating rate grade points rank5 "
        "bewertung sterne note wertung punkte sternebewertung calificacion puntuacion estrellas étoiles etoiles voto "
        "评分 打分 星级 得分 评价分数 评级 評価"
    ),
    "count": _names(
        "count playcount plays listencount listens quantity qty quantityordered orderquantity lineitemquantity weight "
        "times timesplayed "
        "frequency units unitssold pieces hours hoursplayed playtime numplays nplays views viewcount clicks visits "
        "amount menge anzahl stück stueck stückzahl stueckzahl cantidad quantite quantité "
        "数量 次数 播放次数 购买数量 件数"
    ),
    "dwell": _names(  # seconds, or any unit of time
        "dwell dwelltime dwellseconds dwellms dwelltimems timespent timespentseconds timeonpage timeonsite viewtime "
        "viewingtime viewduration readtime readingtime watchtime watchseconds watchduration listentime listenduration "
        "secondsviewed secondsplayed msplayed playduration engagementtime staytime duration durationseconds "
        "durationsec durationms verweildauer betrachtungsdauer 停留时间 停留时长 "
        "观看时长 播放时长 阅读时长 浏览时长 滞在時間"
    ),
    "label": _names("label clicked click isclick isclicked islike like liked target taken bought"),
    "kind": _names(
        "eventtype feedbacktype event behavior behaviour behaviortype behaviourtype action actiontype "
        "interactiontype interaction activitytype activity feedback type kind "
        "vote thumb thumbs reaction ereignis ereignistyp aktion vorgang "
        "行为 行为类型 事件 事件类型 动作"
    ),
    "timestamp": _names(
        "timestamp time unixtime unixreviewtime datetime date ts orderedat orderdate orderdatetime ordertime "
        "ordertimestamp orderpurchasetimestamp purchasedate purchasedat purchasetime purchasetimestamp boughtat "
        "eventtime eventdate eventtimestamp createdat created createdon createdtime createtime "
        "creationdate reviewdate "
        "reviewtime reviewedat reviewtimestamp ratedat ratingdate ratingtime watchedat viewedat clickedat playedat "
        "listenedat visitedat visittime checkintime checkinat checkindate invoicedate transactiondate "
        "transactiontime "
        "tdat localtime addedat dateadded dateupdated submittedat submitted postedat day epoch utctime "
        "logtime starttime "
        "datum zeit zeitpunkt zeitstempel bestelldatum bestelltam bestellzeit kaufdatum gekauftam bewertetam fecha "
        "data horodatage 时间 日期 时间戳 下单时间 订单时间 购买时间 购买日期 评论时间 评价时间 创建时间 "
        "点击时间 日時"
    ),
    "time_of_day": (),  # by its values, beside a column of dates
    "text": _names(
        "review text reviewtext reviewbody reviewcontent comment comments commenttext body message "
        "content feedbacktext "
        "tip opinion remark kommentar rezension bewertungstext text reseña commentaire avis "
        "评论 评价 评论内容 评价内容 评论文本 内容 レビュー"
    ),
    "summary": _names(
        "summary reviewsummary reviewtitle reviewheadline headline zusammenfassung bewertungstitel 评论标题 标题摘要"
    ),
    "reviewer_name": _names("reviewername username customername profilename nickname"),  # only to mask it in the texts
    "latitude": _names("latitude lat breitengrad 纬度"),
    "longitude": _names("longitude lon lng long längengrad laengengrad 经度"),
    "key": _names("property attribute key feature field eigenschaft"),
    "value": _names("value val wert"),
    "friends": _names("friends following follows followees trusts friendlist 好友"),
    "friend_id": _names(
        "friendid friend friendsid followed followee followedid followeeid followingid trustee trusteeid "
        "target targetid "
        "user2 userid2 userb useridb useridtarget touser touserid to dst destination "
        "freund freundid amigo amigoid idamigo ami amiid idami amico amicoid 好友id 好友编号 朋友id"
    ),
    "head": _names("head headid subject headentity entityhead subjectid source"),
    "relation": _names("relation relationid predicate relationname rel relationtype"),
    "tail": _names("tail tailid object tailentity entitytail objectid target"),
    "entity": _names("entityid entity entityuri uri kgid freebaseid wikidataid dbpediauri qid"),
    "entity_label": _names("entity entitylabel entityname label name"),
}
FRIEND_OF = (  # the first of the two users of a row in a table of friends
    *("userid", "user", "follower", "followerid", "trustor", "trustorid", "truster", "source", "sourceid", "user1"),
    *("userid1", "usera", "userida", "fromuser", "fromuserid", "from", "src", "uid", "customerid", "memberid"),
)
DIRECTED = frozenset(
    ("follower", "followerid", "followed", "followee", "followedid", "followeeid", "followingid", "trustor", "trustee")
) | {"trustorid", "trusteeid", "truster"}
TITLES = _names(
    "title name itemtitle itemname movietitle productname producttitle artistname booktitle bookname songname "
    "songtitle trackname tracktitle albumname albumtitle prodname articlename articletitle originaltitle gamename "
    "businessname recipename animename titel bezeichnung produktname artikelname artikelbezeichnung titulo nombre "
    "titre nom "
    "标题 名称 商品名称 商品名 产品名称 书名 电影名 片名 タイトル"
)
DESCRIPTIONS = _names(
    "text description productdescription itemdescription detaildesc plot overview synopsis abstract blurb "
    "shortdescription longdescription beschreibung produktbeschreibung descripcion 描述 简介 商品描述 内容简介"
)
CAME_FROM = frozenset(  # what tells where somebody came from when they took an item
    _names(
        "referrer referer path pagepath clickpath navigationpath previouspage prevpage previousitem previtem fromitem "
        "fromitemid landingpage entrypage trafficsource utmsource channel herkunft 来源 来源页面"
    )
)
_LINKS = re.compile(r"url|link$|image|photo|picture|poster|thumbnail|img|bild$|cover$|图片|链接")
_TIME_NAME = re.compile(r"(_|\b)(at|on|date|time|ts|timestamp|datum|zeit)$|[a-z](At|Date|Time|On)$")
_NOT_OF_ITEMS = re.compile(r"user|reviewer|url|link|image|photo|picture|poster|thumbnail")
ROW_IDS = re.compile(
    r"^(order|transaction|transactions|invoice|review|event|session|usersession|basket|receipt|row|line|rating|checkin|"
    r"impression|record|log|bestell|bestellung|auftrag|rechnung|beleg|feedback|tip|订单|评论)(id|no|nr|number|nummer|key|"
    r"uuid|编号|号)$|^(index|unnamed\d*|id|uuid|rowid|)$"
)


def normal(name: str) -> str:
    """A column's name without case and separators: ``userId``, ``user_id`` and ``User ID`` are one."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())


def by_normal(header: Iterable[str]) -> dict[str, str]:
    """Normal form → the first column of it."""
    out: dict[str, str] = {}
    for column in header:
        out.setdefault(normal(column), column)
    return out


def find(header: Iterable[str], names: Iterable[str]) -> str | None:
    """The column that bears the likeliest of these names."""
    known = by_normal(header)
    return next((known[n] for n in names if n in known), None)


def roles(header: Sequence[str], renames: Mapping[Role, str] | None = None) -> dict[Role, str]:
    """Our name → the column of that role in a table of events, by names alone; ``renames`` come first."""
    out: dict[Role, str] = {}
    taken: set[str] = set((renames or {}).values())
    wanted: tuple[Role, ...] = ("user_id", "item_id", "rating", "timestamp", "text", "summary", "reviewer_name")
    for role in wanted:
        names = (*SYNONYMS["rating"], *SYNONYMS["count"]) if role == "rating" else SYNONYMS[role]
        if renames and role in renames:
            if renames[role] in header:
                out[role] = renames[role]
        elif found := find((c for c in header if c not in taken), names):
            out[role] = found
            taken.add(found)
    return out


def is_time_name(column: str) -> bool:
    """Whether a column's name speaks of a time."""
    return _TIME_NAME.search(column) is not None


def is_link(column: str) -> bool:
    """Whether a column holds addresses of pages or pictures."""
    return _LINKS.search(normal(column)) is not None


def attributes(frame: pd.DataFrame, id_column: str, key: str, columns: Iterable[str], separators: str) -> pd.DataFrame:
    """Columns → long form ``key``, "key", "value" (key is item_id or user_id), one row for each value of a list.

    A list is an array (Parquet), or a string with one of the separators between its values.
    """
    parts = []
    pattern = f"[{re.escape(separators)}]" if separators else None
    for column in columns:
        values = frame[column].astype(object)
        lists = [
            list(v)
            if not isinstance(v, str) and hasattr(v, "__iter__")
            else re.split(pattern, v)
            if isinstance(v, str) and pattern
            else [v]
            for v in values
        ]
        long = pd.DataFrame({key: frame[id_column].to_numpy(), "key": column, "value": lists}).explode("value")
        long = long[long["value"].notna()]
        parts.append(long.assign(value=long["value"].astype(str).str.strip()))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({key: [], "key": [], "value": []})
