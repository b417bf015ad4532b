"""The pages of the site's section Reference, made from the code itself."""
