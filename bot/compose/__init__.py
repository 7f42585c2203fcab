"""Article to post: words, credit, markup and limits. Pure: no clock, no network, no platform library."""
