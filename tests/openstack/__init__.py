"""The OpenStack driver beyond the contract: what is decided without a cloud, and what is peculiar to this one."""
