"""Web shops: ten invented ones, one for each shop system, at names below `localhost`."""
