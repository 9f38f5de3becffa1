// ./cove run examples/hello.js -- Ada
const name = process.argv[2] ?? "world";
const squares = await Promise.all([1, 2, 3].map(async (n) => n * n));
console.log(`Hello, ${name}, from Node ${process.version}: ${squares.join(", ")}`);
