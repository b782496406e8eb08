"""Evaluation: full ranking, metrics, validation for tuning, baselines, and the comparison with significance."""
