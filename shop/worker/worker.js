const { Pool } = require('pg');
const { parseOrder, totalOf } = require('./orders');

const queue = process.env.QUEUE_URL || 'amqp://localhost:5672';
const pool = new Pool({ connectionString: process.env.DATABASE_URL });

async function handle(message) {
  const heartbeat = setInterval(() => console.log('working on', message.id), 5000);
  const order = parseOrder(message.body);
  await pool.query('INSERT INTO orders VALUES ($1, $2)', [order.id, totalOf(order)]);
  clearInterval(heartbeat);
}

module.exports = { handle, queue };
