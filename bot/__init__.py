"""Vistnyk, the herald: a newsroom's articles, once, in every channel."""
