"""The local cloud's supervisor: starts Azurite, the studio and the azure-native stand-in, and knows how they are."""
