// Which pictures are gone through, and in which order.

const MANY = 5;
const BY_INDEX = (a, b) => a - b;

const SHOWS = {
  all: { text: 'All pictures', has: () => true },
  doubtful: { text: 'Doubtful first', has: () => true, order: ({ priorities }) => (a, b) => priorities[b] - priorities[a] || a - b },
  none: { text: 'No faces', has: ({ faces }, i) => faces[i] === 0 },
  many: { text: `Many faces (${MANY} or more)`, has: ({ faces }, i) => faces[i] >= MANY },
  different: {
    text: 'Different in the other file',
    has: ({ differences }, i) => differences[i] > 0,
    order: ({ differences }) => (a, b) => differences[b] - differences[a] || a - b,
  },
};
const STATUSES = {
  any: { text: 'Any status', has: () => true },
  todo: { text: 'To do', has: (status) => status === 'unseen' || status === 'edited' },
  edited: { text: 'Edited, not accepted', has: (status) => status === 'edited' },
  accepted: { text: 'Accepted', has: (status) => status === 'accepted' },
  rejected: { text: 'Rejected', has: (status) => status === 'rejected' },
};

/** Fills the two menus. */
export function offerFilters(show, status, table) {
  const shows = Object.entries(SHOWS).filter(([name]) => name !== 'different' || table.differences);
  show.append(...shows.map(([name, { text }]) => new Option(text, name)));
  status.append(...Object.entries(STATUSES).map(([name, { text }]) => new Option(text, name)));
}

/** Indices of the pictures that two filters leave, in order. */
export function sequence(table, show, status) {
  const { has, order } = SHOWS[show];
  const wanted = STATUSES[status].has;
  const left = [...table.names.keys()].filter((i) => has(table, i) && wanted(table.statuses[i]));
  return left.sort(order ? order(table) : BY_INDEX);
}
