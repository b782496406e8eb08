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
from graphrec.explain.phrases import plain
from graphrec.explain.why_not import WhyNot
from graphrec.types import Evidence, Explanation, Step

BAR_WIDTH = 30


def render(explanation: Explanation) -> Panel:
    """A panel with the text, a bar per block (red where it lowers the score), and the evidence as a tree."""
    title = Text.assemble(
        (plain(explanation.title or explanation.item_id), "bold"), f" for {plain(explanation.user_id)}"
    )
    parts: list[RenderableType] = [
        Text(plain(explanation.text)),
        Text(),
        _blocks("score", explanation.score, explanation.blocks),
    ]
    if explanation.evidence:
        parts += [Text(), _evidence(explanation)]
    return Panel(Group(*parts), title=title, title_align="left", padding=(1, 2))


def render_gap(answer: WhyNot | Contrast) -> Panel:
    """A panel with the text and a bar per block, of the score that is missing or of the difference of two scores."""
    if isinstance(answer, WhyNot):
        what, size = "gap", answer.needed - answer.score
    else:
        what, size = "difference", answer.difference
    parts: list[RenderableType] = [Text(plain(answer.text)), Text(), _blocks(what, size, answer.blocks)]
    return Panel(Group(*parts), title=Text(f"for {plain(answer.user_id)}"), title_align="left", padding=(1, 2))


def _blocks(what: str, total: float, blocks: Mapping[str, float]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(width=BAR_WIDTH)
    table.add_row(Text(what, "bold"), Text(f"{total:+.3f}", "bold"))
    longest = max(map(abs, blocks.values()), default=0.0) or 1.0
    for name, part in sorted(blocks.items(), key=lambda kv: -kv[1]):
        bar = Bar(longest, 0, abs(part), color="green" if part >= 0 else "red")
        table.add_row(Text(plain(name)), f"{part:+.3f}", bar)
    return table


def _evidence(explanation: Explanation) -> Tree:
    tree = Tree("evidence")
    for evidence in explanation.evidence:
        branch = tree.add(Text.assemble((evidence.kind, "cyan"), f"  {evidence.share:+.3f}"))
        for step in evidence.path:
            branch.add(_step(step))
        if evidence.source:
            branch.add(_quote(evidence))
    return tree


def _step(step: Step) -> Text:
    head, tail = plain(step.head_label or step.head), plain(step.tail_label or step.tail)
    return Text.assemble(head, (f" –{plain(step.relation)}→ ", "dim"), tail)


def _quote(evidence: Evidence) -> Text:
    source = evidence.source
    return Text(f"“{plain(source.quote)}” ({plain(source.review_id)})" if source else "", "italic")
