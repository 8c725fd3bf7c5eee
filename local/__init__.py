"""Everything that exists only on a laptop: the local cloud, the token issuer, the marketplace sandbox, the demo."""
