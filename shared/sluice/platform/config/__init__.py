"""What is configured: the document, its limits, and reading it while functions run."""
