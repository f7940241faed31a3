"""Whether endpoints do their work: what each worker sees of them by itself, and what control asks them."""
