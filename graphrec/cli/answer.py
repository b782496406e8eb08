"""The commands that answer: recommend, explain, similar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from graphrec.cli.options import Artifact, AsJson, At, Count, EngineOption, Friends, Here, context_of
from graphrec.cli.output import Sheet, answer, note, print_json, warn
from graphrec.errors import ConfigError

UserId = Annotated[str | None, typer.Option("--user", help="A user id.")]
ItemId = Annotated[str, typer.Option("--item", help="An item id.")]
History = Annotated[
    list[str],
    typer.Option("--history", help="Item ids taken, A,B or repeated: beside what is known of --user, or alone."),
]
Words = Annotated[str | None, typer.Option("--query", help="Free text to rank by, beside the profile or alone.")]


def recommend(
    artifact: Artifact,
    user: UserId = None,
    history: History = [],  # noqa: B006
    everybody: Annotated[bool, typer.Option("--all", help="Every user of the model; needs --out.")] = False,
    users: Annotated[
        Path | None,
        typer.Option(
            "--users",
            help="The users of this file; needs --out. A table with user_id (and item_id: their histories), or a text "
            "of one id a line.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where --all and --users write: .parquet, .csv or .jsonl.")
    ] = None,
    k: Count = 10,
    query: Words = None,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", help='Which items may come back: \'price < 50 and category in ("Mugs", "Tea")\'.'),
    ] = None,
    exclude: Annotated[list[str], typer.Option("--exclude", help="Item ids that do not come back, A,B.")] = [],  # noqa: B006
    seen: Annotated[
        Literal["exclude", "allow", "only"] | None,
        typer.Option("--seen", help="What the user already took: leave it out, rank it too, or rank it alone."),
    ] = None,
    rerank: Annotated[
        list[str],
        typer.Option("--rerank", help="diversity=0.3, cap=brand:2, boost=organic:0.5, pin=A; in the order given."),
    ] = [],  # noqa: B006
    here: Here = None,
    at: At = None,
    friends: Friends = [],  # noqa: B006
    engine: EngineOption = None,
    as_json: AsJson = False,
) -> None:
    """The best items for a user, for a basket of nobody in particular, or for many users into a file."""
    import graphrec
    from graphrec.cluster.engine import engine_of
    from graphrec.data import sink
    from graphrec.explain.say import say, speaking
    from graphrec.model.asked import listed

    many = everybody or users is not None
    if filter_ is not None and not filter_.strip():
        raise ConfigError("--filter is empty; write a condition such as --filter 'price < 50', or leave it out")
    _check_whom(user, history, everybody, users, out, query, here is not None or bool(friends))
    context = context_of(here, at)
    if engine is not None and not many:
        raise ConfigError(f"--engine {engine} is for --all and --users; leave it out for one answer")
    by = engine_of(engine or "local")
    if out is not None:
        sink.check(out)
    model = graphrec.load(artifact)
    items = model.fitted.data.items
    options: dict[str, Any] = {"query": query, "filter": filter_, "exclude": listed(exclude, items), "seen": seen}
    options["rerank"] = rerank
    if friends:
        context["friends"] = listed(friends, model.fitted.data.users)
    options["context"] = context
    if many:
        from graphrec.cli.people import People, write_all

        assert out is not None
        people = People(model.fitted.data.users.ids) if users is None else People.read(users, items)
        found = write_all(model.fitted, people, k, out, by, **options)
        if as_json:
            print_json(found)
        for text in found["notes"]:
            warn(f"note: {text}")
        rate = found["users"] / max(found["seconds"], 1e-9)
        note(f"{out} written: {found['rows']:,} rows for {found['users']:,} users ({rate:,.0f} users/s)")
        return
    document = model.recommend_document(user, k, history=basket(history, items), **options)
    if as_json:
        print_json(document)
        return
    with speaking(model.fitted.spoken):
        whose = say("for this history") if history else say("for these words") if query else say("near here")
        if friends and not history and not query:
            whose = say("by these friends")
        _print_items(model, document, whose if user is None else say("for {user}", user=user))


def _check_whom(
    user: str | None,
    history: list[str],
    everybody: bool,
    users: Path | None,
    out: Path | None,
    query: str | None,
    placed: bool,
) -> None:
    """Raises ConfigError unless it is said for whom, once, and where many answers go; words are for anybody."""
    given = {"--all": everybody, "--users": users is not None, "--user": user is not None, "--history": bool(history)}
    named = [option for option, there in given.items() if there]
    _check_words(query)
    if not named and query is None and not placed:
        raise ConfigError(
            "for whom? Give --user ID, --history A,B, --users FILE or --all; or --query TEXT, for anybody"
        )
    if user is not None and not user.strip():
        raise ConfigError("--user is empty; give the id of a user, or leave it out")
    if len(named) > 1 and named != ["--user", "--history"]:
        more = "; a --users table with the columns user_id and item_id brings histories" if "--history" in named else ""
        raise ConfigError(f"{' and '.join(named)} do not go together; give one of them{more}")
    many = everybody or users is not None
    if many and out is None:
        raise ConfigError(f"{named[0]} answers many; add --out FILE, which ends in .parquet, .csv or .jsonl")
    if out is not None and not many:
        first = named[0] if named else "--query"
        raise ConfigError(f"--out is for --all and --users; for one, write {first} … --json > {out}")


def _check_words(query: str | None) -> None:
    """Raises ConfigError for words that are none."""
    if query is not None and not query.strip():
        raise ConfigError("--query is empty; say what is wanted in a few words, or leave it out")


def basket(history: list[str], items: Any) -> list[str]:
    """The item ids of --history. Raises ConfigError where it is given and holds none."""
    from graphrec.model.asked import listed

    found = listed(history, items)
    if history and not found:
        raise ConfigError("--history holds no item id; write --history A,B")
    return found


def _print_items(model: Any, document: dict[str, Any], title: str) -> None:
    """A list in the language of the model. Where no item has a title, what each is, as far as it is known."""
    from graphrec.explain.phrases import plain
    from graphrec.explain.say import label

    rows = document["items"]
    rank, item, score = label("table", "rank"), label("table", "item"), label("table", "score")
    called, told = label("table", "title"), [plain(row["title"]) for row in rows]
    if not any(told):
        links = model.fitted.explainer.links
        called = label("table", "what it is")
        told = [plain(links.known_for(model.fitted.data.items.number(row["item_id"]))) for row in rows]
    shown = [called] * any(told)
    table = Sheet(rank, item, *shown, score, title=title, cut=shown, figures=[rank, score])
    for row, text in zip(rows, told, strict=True):
        table.row(row["rank"], row["item_id"], *([text] * len(shown)), f"{row['score']:.4f}")
    if rows:
        answer(table)
    for change in document.get("changes", ()):
        price = change.get("price")
        cost = "" if price is None else f", at {price:.1%} of the score"
        came = f": {', '.join(change['came'])}" if change["came"] else ""
        items = "1 item" if len(change["came"]) == 1 else f"{len(change['came'])} items"
        note(f"{change['reranker']}: {items} came{came}{cost}", "dim")
    for reason in document["degraded"]:
        warn(f"note: {reason}")


def explain(
    artifact: Artifact,
    item: ItemId,
    user: UserId = None,
    history: History = [],  # noqa: B006
    why_not: Annotated[bool, typer.Option("--why-not", help="Why the item is not among the k recommended.")] = False,
    versus: Annotated[str | None, typer.Option("--versus", help="Another item: why one scores higher.")] = None,
    k: Annotated[
        int | None, typer.Option("-k", help="How many are recommended, with --why-not or --rerank: 10.")
    ] = None,
    query: Words = None,
    rerank: Annotated[
        list[str],
        typer.Option("--rerank", help="As recommend takes it: what it moves the item from and to is told."),
    ] = [],  # noqa: B006
    here: Here = None,
    at: At = None,
    friends: Friends = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Why an item scores as it does for a user or a basket, why it is not recommended, or why another scores higher."""
    import graphrec
    from graphrec.explain.render import render, render_gap
    from graphrec.explain.say import speaking
    from graphrec.model.asked import listed

    _check_words(query)
    if user is None and not history and query is None and here is None and not friends:
        raise ConfigError("for whom? Give --user ID, or --history A,B; or --query TEXT, for anybody")
    if why_not and versus is not None:
        raise ConfigError("--why-not and --versus are two questions; ask one at a time")
    if k is not None and not why_not and not rerank:
        raise ConfigError("-k is how many are recommended, which only --why-not and --rerank ask about; leave it out")
    if rerank and (why_not or versus is not None):
        raise ConfigError("--rerank is told of where an item is explained, without --why-not and --versus")
    context = context_of(here, at)
    model = graphrec.load(artifact)
    if friends:
        context["friends"] = listed(friends, model.fitted.data.users)
    known: dict[str, Any] = {"history": basket(history, model.fitted.data.items), "query": query, **context}
    if why_not or versus is not None:
        if versus is None:
            gap: Any = model.why_not(user, item, 10 if k is None else k, **known)
        else:
            gap = model.contrast(user, item, versus, **known)
        if as_json:
            print_json(gap.to_json())
        else:
            with speaking(model.fitted.spoken):
                answer(render_gap(gap))
        return
    explanation = model.explain(user, item, rerank=rerank, k=10 if k is None else k, **known)
    if as_json:
        print_json(explanation.to_json())
        return
    with speaking(model.fitted.spoken):
        answer(render(explanation))
    for reason in explanation.degraded:
        warn(f"note: {reason}")


def similar(artifact: Artifact, item: ItemId, k: Count = 10, as_json: AsJson = False) -> None:
    """The items nearest to an item."""
    import graphrec
    from graphrec.explain.say import say, speaking

    model = graphrec.load(artifact)
    document = model.similar_document(item, k)
    if as_json:
        print_json(document)
        return
    with speaking(model.fitted.spoken):
        _print_items(model, document, say("similar to {item}", item=item))
