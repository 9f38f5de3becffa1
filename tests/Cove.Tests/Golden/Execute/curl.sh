# The lines people know this protocol by; YOUR_CLOUD_RUN_URL is all that is replaced.
curl -X POST -H "Content-Type: application/json" \
-d '{"code": "print(\"Hello from Claude!\")"}' \
YOUR_CLOUD_RUN_URL/execute
