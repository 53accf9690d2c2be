"""The project as a whole: modules, names and what an import means; lazy, and three-valued where it must be."""
