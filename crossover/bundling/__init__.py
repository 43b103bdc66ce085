"""The functions' code packages, without the CDK: code that needs only a bundle does not start Node."""
