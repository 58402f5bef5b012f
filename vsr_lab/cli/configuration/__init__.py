"""How the configuration of a command comes from its yaml files and the command line, and how it is checked."""
