"""The login of operators at an OpenID provider, an option of the deployment."""
