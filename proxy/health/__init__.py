"""Whether endpoints answer: passive ejection in each worker, active probes by control."""
