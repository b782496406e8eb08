"""An explanation for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from graphrec.explain.contrast import Contrast
from graphrec.explain.phrases import plain, quoted, relation
from graphrec.explain.say import label, marked_of, say
from graphrec.explain.why_not import WhyNot
from graphrec.types import Evidence, Explanation, Step

BAR_WIDTH = 30
NAMES = (  # for the catalogues
    *(marked_of("block", "popularity"), marked_of("block", "spectral"), marked_of("block", "neighbours")),
    *(marked_of("block", "ease"), marked_of("block", "ials"), marked_of("block", "circle"), marked_of("block", "kin")),
    *(marked_of("block", "graph"), marked_of("block", "semantic"), marked_of("block", "friends")),
    *(marked_of("block", "attributes"), marked_of("block", "words")),
    *(marked_of("kind", "history"), marked_of("kind", "friend"), marked_of("kind", "knowledge")),
    *(marked_of("kind", "mention"), marked_of("step", "interacted"), marked_of("step", "friend")),
    *(marked_of("step", "likes"), marked_of("step", "dislikes"), marked_of("step", "mentions")),
    *(marked_of("step", "has_aspect"), marked_of("step", "mentions_aspect"), marked_of("step", "made_by")),
    *(marked_of("step", "used_for"), marked_of("step", "compared_with"), marked_of("step", "also_buy")),
    *(marked_of("step", "also_view"), marked_of("step", "also_bought"), marked_of("step", "bought_together")),
)


def render(explanation: Explanation) -> Panel:
    """A panel with the text, a bar per block (red where it lowers the score), and the evidence as a tree."""
    of = plain(explanation.title or explanation.item_id)
    title = Text(say("{title} for {user}", title=of, user=whom(explanation.user_id)))
    title.highlight_words([of], "bold")
    parts: list[RenderableType] = [
        Text(plain(explanation.text)),
        Text(),
        *_blocks(label("panel", "score"), explanation.score, explanation.blocks),
    ]
    if explanation.attention:
        seen = ", ".join(f"{quoted(each.title)} ({each.share:.0%})" for each in explanation.attention)
        parts += [Text(), Text(say("In the order of what you took it looks at {items}.", items=seen))]
    if explanation.evidence:
        parts += [Text(), _evidence(explanation)]
    return Panel(Group(*parts), title=title, title_align="left", padding=(1, 2))


def render_gap(answer: WhyNot | Contrast) -> Panel:
    """A panel with the text and a bar per block, of the score that is missing or of the difference of two scores."""
    if isinstance(answer, WhyNot):
        what, size = label("panel", "gap"), answer.needed - answer.score
    else:
        what, size = label("panel", "difference"), answer.difference
    parts: list[RenderableType] = [Text(plain(answer.text)), Text(), *_blocks(what, size, answer.blocks)]
    title = Text(say("for {user}", user=whom(answer.user_id)))
    return Panel(Group(*parts), title=title, title_align="left", padding=(1, 2))


def whom(user_id: str) -> str:
    """An id, or that it is somebody's of whom there is none."""
    return say("somebody") if user_id == "somebody" else plain(user_id)


def _blocks(what: str, total: float, blocks: Mapping[str, float]) -> list[RenderableType]:
    """A bar per block that adds or takes away something, and the names of the others in one line."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(width=BAR_WIDTH)
    table.add_row(Text(what, "bold"), Text(f"{total:+.3f}", "bold"))
    longest = max(map(abs, blocks.values()), default=0.0) or 1.0
    for name, part in sorted(blocks.items(), key=lambda kv: -kv[1]):
        bar = Bar(longest, 0, abs(part), color="green" if part >= 0 else "red")
        if part:
            table.add_row(Text(_block(name)), f"{part:+.3f}", bar)
    nothing = ", ".join(_block(name) for name, part in blocks.items() if not part)
    return [table, Text(say("nothing from {blocks}", blocks=nothing), "dim")] if nothing else [table]


def _block(name: str) -> str:
    return plain(label("block", name))


def _evidence(explanation: Explanation) -> Tree:
    tree = Tree(label("panel", "evidence"))
    for evidence in explanation.evidence:
        adds = f"  {evidence.share:+.3f}" if evidence.share else ""  # what is known beside the score has no figure
        branch = tree.add(Text.assemble((label("kind", evidence.kind), "cyan"), adds))
        for step in dict.fromkeys(evidence.path):  # a step that is walked back is shown once
            branch.add(_step(step))
        if evidence.source:
            branch.add(_quote(evidence))
    return tree


def _step(step: Step) -> Text:
    head, tail = plain(step.head_label or step.head), plain(step.tail_label or step.tail)
    return Text.assemble(head, (f" –{plain(_relation(step.relation))}→ ", "dim"), tail)


def _relation(name: str) -> str:
    """A step in the reader's language; in English as it is called in paths."""
    if (known := label("step", name)) != name:
        return known
    spaced = name.replace("_", " ")
    noun = relation(spaced)
    return name if noun in spaced else noun


def _quote(evidence: Evidence) -> Text:
    source = evidence.source
    return Text(f"“{plain(source.quote)}” ({plain(source.review_id)})" if source else "", "italic")
