function parseOrder(body) {
  return JSON.parse(body);
}

module.exports = { parseOrder };
