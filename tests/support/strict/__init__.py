"""What strict_emulator.py changes in MiniStack. The emulator's own Python imports these modules."""
