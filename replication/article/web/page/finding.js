// Parts of the page by their id.

export const find = (id) => document.getElementById(id);
