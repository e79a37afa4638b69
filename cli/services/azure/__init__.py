"""What a subscription of Azure has to give a stack before its first update, and whether it does."""
