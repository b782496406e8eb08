"""A report on one model or one data set, as a single HTML file that needs nothing beside it."""

from graphrec.report.page import page as page
