"""The demo town: one believable city station, made by the services that real stations use."""
