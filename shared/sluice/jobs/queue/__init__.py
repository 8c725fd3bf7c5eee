"""Every write that moves a job: enqueue, claim, finish, cancel, replay; and the lanes in which jobs wait."""
