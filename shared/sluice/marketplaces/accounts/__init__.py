"""Accounts at marketplaces: credentials, access tokens, sessions."""
