"""Which option of the loss helps where: variants, tasks, one run."""
