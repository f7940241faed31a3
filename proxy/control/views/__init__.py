"""What people and programs are shown of a service, made from its state; nothing is changed here."""
