"""What footage there is: shots, the layouts of data sets, manifests."""
