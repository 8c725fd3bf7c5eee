"""The one HTTP seam to marketplaces: a call, its answer, and what the answer means."""
