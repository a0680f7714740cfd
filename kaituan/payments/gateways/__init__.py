"""Money gateways behind one small protocol. Which ones a station offers is a setting."""
