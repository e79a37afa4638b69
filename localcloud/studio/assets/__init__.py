"""What a workspace holds, of the Studio API: trained models, transforms, modules, and what nodes put out."""
