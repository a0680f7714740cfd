"""What happens by itself: events are relayed to their handlers, the clock finds work that is due."""
