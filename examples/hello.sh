# ./cove run examples/hello.sh -- Ada
echo "Hello, ${1:-world}, from bash ${BASH_VERSION%%(*} as $(id -un) in $PWD"
printf 'a\nb\nc\n' > letters.txt
wc -l < letters.txt
