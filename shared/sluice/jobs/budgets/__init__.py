"""What calls are charged to: windows, slots, seats, and the grant that a worker holds while it calls."""
