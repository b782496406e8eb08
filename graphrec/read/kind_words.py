"""Words for kinds of events beside those that ``data.kinds`` knows: thumbs, other tongues, the names of trackers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphrec.data.kinds import OPINIONS, weight_of


def _words(text: str) -> list[str]:
    return text.split()


_LIKE = (
    "up thumbup thumbsup liked upvote upvoted heart love loved gefällt megusta jaime 👍 ❤ ❤️ + +1 赞 点赞 喜欢 いいね"
)
_DISLIKE = "down thumbdown thumbsdown disliked downvote downvoted hate hated gefälltnicht nomegusta 👎 - -1 踩 不喜欢"
_KINDS: Mapping[str, str] = {  # a word as ``plain`` writes it → the kind that it is
    **dict.fromkeys(_words(_LIKE), "like"),
    **dict.fromkeys(_words(_DISLIKE), "dislike"),
    **dict.fromkeys(
        _words("viewitem viewcontent viewproduct productview productviewed viewed itemview detailview"), "view"
    ),
    **dict.fromkeys(_words("selectitem clicked itemclick productclick"), "click"),
    **dict.fromkeys(_words("addtobasket addedtocart productadded addcart"), "cart"),
    **dict.fromkeys(_words("addtowishlist addtofavorites"), "wishlist"),
    **dict.fromkeys(_words("removefrombasket removedfromcart productremoved removecart"), "removefromcart"),
    **dict.fromkeys(
        _words("purchased bought ordered ordercompleted orderplaced kauf gekauft bestellung compra achat"), "purchase"
    ),
}
_UNDONE = frozenset(
    _words(
        "cancelled canceled cancel voided void failed refunded returned expired declined rejected chargeback "
        "storniert storno abgebrochen erstattet zurückgegeben fehlgeschlagen cancelado cancelada anulado anulada "
        "devuelto devuelta reembolsado annulé annulée remboursé remboursée retourné annullato rimborsato "
        "已取消 取消 已退款 退款 已退货 退货 交易关闭"
    )
)
OF_FILE: Mapping[str, str] = {  # a word in a file's name → the kind of its events
    **dict.fromkeys(("order", "orders", "bestellung", "bestellungen", "sales", "sale", "orderlines", "订单"), "order"),
    **dict.fromkeys(("transaction", "transactions"), "transaction"),
    **dict.fromkeys(("purchase", "purchases", "kaeufe", "käufe", "bought", "buys"), "purchase"),
    **dict.fromkeys(("review", "reviews", "rezensionen", "comments", "评论"), "review"),
    **dict.fromkeys(("rating", "ratings", "stars", "bewertungen"), "rating"),
    **dict.fromkeys(("view", "views", "pageviews", "visits"), "view"),
    **dict.fromkeys(("click", "clicks"), "click"),
    **dict.fromkeys(("cart", "carts", "basket", "baskets"), "cart"),
    **dict.fromkeys(("play", "plays", "listens", "listening", "scrobbles"), "play"),
    **dict.fromkeys(("checkin", "checkins"), "checkin"),
    **dict.fromkeys(("like", "likes", "favorites", "favourites"), "like"),
    **dict.fromkeys(("return", "returns", "refunds"), "return"),
    **dict.fromkeys(("wishlist", "wishlists", "bookmarks"), "wishlist"),
    **dict.fromkeys(("tip", "tips"), "tip"),
    **dict.fromkeys(("tag", "tags"), "tag"),
}


def plain(word: str) -> str:
    """A word in lower case without separators; a word of signs alone as it is."""
    low = word.strip().casefold()
    return "".join(c for c in low if c.isalnum()) if any(c.isalpha() for c in low) else low


def weight(word: str) -> float | None:
    """What one event of the kind with this name says, None where the name is not known."""
    kind = _KINDS.get(plain(word))
    return weight_of(kind if kind is not None else word)


def kind(word: str) -> str:
    """The name of the kind: an opinion by its usual word ("down" is "dislike"), everything else as people call it."""
    found = _KINDS.get(plain(word))
    return found if found in OPINIONS else word


def undone(words: Iterable[str]) -> list[str]:
    """The words that say that an order came to nothing, as they are written."""
    return [w for w in words if plain(w) in _UNDONE]
