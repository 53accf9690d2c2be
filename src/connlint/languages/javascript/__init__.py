"""JavaScript and TypeScript, Vue and Svelte: reading, outlining, editing."""
