"""Explanations that can be checked: what each score is made of, and the paths and sentences behind it."""

from graphrec.explain.explainer import Explainer

__all__ = ["Explainer"]
