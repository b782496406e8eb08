"""Names of the nodes and edges of the heterogeneous graph."""

from __future__ import annotations

USER, ITEM, ENTITY = "user", "item", "entity"
INTERACTS = (USER, "interacts", ITEM)
TRUSTS = (USER, "trusts", USER)
