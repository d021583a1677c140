"""Where the matches of a pair stand: in a padded matrix, or along a support."""
