"""What is sold in the sandbox. Every marketplace shows the same products, in its own words and with its own ids."""
