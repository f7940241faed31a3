"""The admin API: what it reads is checked here, what it answers is described here."""
