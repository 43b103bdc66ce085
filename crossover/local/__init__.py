"""The local AWS: the real CDK command line against an emulator on this machine, with no account and no Docker."""
