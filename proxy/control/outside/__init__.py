"""The network outside: endpoints that are probed, hooks that are asked, receivers that are notified."""
