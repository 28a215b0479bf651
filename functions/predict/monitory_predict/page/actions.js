export function open(main) { main.replaceChildren(); return { refresh() {} }; }
