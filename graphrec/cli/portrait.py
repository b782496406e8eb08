"""The commands that show people and the whole: profile, map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from graphrec.cli.answer import History, UserId, basket
from graphrec.cli.options import Artifact, AsJson
from graphrec.cli.output import Sheet, answer, note, print_json, warn
from graphrec.errors import ConfigError

CHANCE = 0.05  # of a day or an hour that is told as the usual one, though there is none
LEAST_REST = 0.001  # of the shares, that is told of


def profile(
    artifact: Artifact,
    user: UserId = None,
    history: History = [],  # noqa: B006
    limit: Annotated[int, typer.Option("-k", min=1, help="How many interests, likes and dislikes.")] = 10,
    draw: Annotated[Path | None, typer.Option("--draw", help="Interests over time, as .svg or .png.")] = None,
    as_json: AsJson = False,
) -> None:
    """What is known of a user or a basket: interests with their shares, likes and dislikes, when, and how sure."""
    import graphrec
    from graphrec.explain.pictures import check_picture, draw_profile
    from graphrec.explain.say import speaking

    if user is None and not history:
        raise ConfigError("of whom? Give --user ID, or --history A,B")
    if user is not None and not user.strip():
        raise ConfigError("--user is empty; give the id of a user, or leave it out")
    if draw is not None:
        check_picture(draw)
    model = graphrec.load(artifact)
    document = model.profile(user, limit, basket(history, model.fitted.data.items))
    with speaking(model.fitted.spoken):
        if draw is not None and not (document["interests"] or document["over_time"]):
            warn(f"{draw} is not written: no interest is known that could be drawn")
        elif draw is not None:
            draw_profile(document, draw)
            note(f"{draw} written")
        if as_json:
            print_json(document)
        else:
            _print(document)
    if not as_json:
        for reason in document["degraded"]:
            warn(f"note: {reason}")


def map_(
    artifact: Artifact,
    out: Annotated[Path, typer.Option("--out", help="Where to draw: .svg or .png.")],
    most: Annotated[int, typer.Option(min=4, help="Items, and users: of more, those of whom most is known.")] = 2000,
    as_json: AsJson = False,
) -> None:
    """A picture of items and users in two dimensions, in which what is alike lies close together."""
    import graphrec
    from graphrec.explain.pictures import check_picture, draw_map
    from graphrec.explain.say import speaking

    check_picture(out)
    model = graphrec.load(artifact)
    document = model.map(most)
    with speaking(model.fitted.spoken):
        draw_map(document, out)
    if as_json:
        print_json(document)
    shown = [f"{len(document[what]):,} of {n:,} {what}" for what, n in document["of"].items()]
    note(f"{out} written: {', '.join(shown)}")


def _print(document: dict[str, Any]) -> None:
    from graphrec.explain.phrases import plain
    from graphrec.explain.say import label, say

    whose = say("for this history") if document["user_id"] is None else say("for {user}", user=document["user_id"])
    what, kind, source = label("table", "interest"), label("table", "what it is"), label("table", "from")
    share, taken, sure = label("table", "share"), label("table", "items"), label("table", "how sure")
    sheet = Sheet(
        *(what, kind, share, taken, sure, source), title=whose, cut=[what, kind, source], figures=[share, taken, sure]
    )
    for i in document["interests"]:
        titles = ", ".join(plain(example["title"]) for example in i["from"])
        sheet.row(plain(i["label"]), plain(i["kind"]), f"{i['share']:.1%}", i["items"], f"{i['sure']:.0%}", titles)
    if document["interests"]:
        answer(sheet)
        if (rest := 1 - sum(i["share"] for i in document["interests"])) >= LEAST_REST:
            answer(say("beside these: {share} in other interests, or in what has none", share=f"{rest:.1%}"))
    for name, title in (("likes", say("likes")), ("dislikes", say("dislikes"))):
        if document[name]:
            rows = Sheet(title, kind, source, cut=[title, kind, source])
            for one in document[name]:
                told = [s.get("quote") or s.get("title") or s.get("review_id", "") for s in one["from"]]
                rows.row(plain(one["label"]), plain(one["kind"]), "; ".join(map(plain, told)))
            answer(rows)
    for line in _lines(document):
        answer(line)


def _lines(document: dict[str, Any]) -> list[str]:
    """When, and who beside: lines of at most 80 columns."""
    from graphrec.explain.say import decimal, say, say_many

    n, when = document["events"], document["behaviour"]
    if not when:
        out = [say_many("{n} event", "{n} events", n)]
    else:
        of = {"first": when["first"], "last": when["last"], "often": decimal(when["per_month"])}
        out = [
            say_many(
                "{n} event from {first} to {last}, {often} a month",
                "{n} events from {first} to {last}, {often} a month",
                n,
                **of,
            )
        ]
        from graphrec.explain.habits import WEEK  # numpy takes a while to import

        if (day := _most(when["weekdays"])) is not None:
            out.append(say("most on {day}", day=say(WEEK[day])))
            if (hour := _most(when.get("hours", []))) is not None:
                span = {"hour": f"{hour:02d}:00", "until": f"{(hour + 1) % 24:02d}:00"}
                out[-1] = say("most on {day}, and from {hour} to {until} UTC", day=say(WEEK[day]), **span)
    if friends := document["friends"]["count"]:
        out.append(say_many("{n} friend is known", "{n} friends are known", friends))
    return out


def _most(counts: Sequence[int]) -> int | None:
    """Where most events are; None where no place has more than every other, or than the first has by chance."""
    from scipy.stats import binom

    first, places = max(counts, default=0), max(len(counts), 1)
    once = counts.count(first) == 1
    return counts.index(first) if once and places * binom.sf(first - 1, sum(counts), 1 / places) < CHANCE else None
