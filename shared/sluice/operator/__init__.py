"""What the API and the dashboard show of the engine. It reads; what changes a job is the engine's own code."""
