# The image of a function, for the variant `container`. `cdk synth` writes its build context, a folder of cdk.out with this
# file in it (crossover/bundling/image_context.py), so this builds it without the CDK:
#   docker build --platform linux/amd64 --provenance=false -f lambda.Dockerfile -t function cdk.out/asset.<hash>
# Lambda takes an image of one architecture, linux/amd64 or linux/arm64, and no index of several: BuildKit makes one of an
# image with attestations, which --provenance=false leaves out. The CDK's command line leaves them out itself.
#
# AWS's base image has Python, the runtime interface client and SnapStart's hooks. Not pinned by digest: AWS patches it
# under this tag, as it patches the runtime of zip functions, and each new image should have the patches of its day.
FROM public.ecr.aws/lambda/python:3.12 AS base

# The same recipe as for the zip, with the pip and the compiler of this image: world-readable files with their bytecode.
FROM base AS build
WORKDIR /context
COPY recipe.py wheels.json ./
COPY lambda_src/requirements-*.txt lambda_src/
RUN mkdir /wheels && python3 recipe.py "$(cat wheels.json)" lambda_src /wheels
COPY handlers.json ./
COPY lambda_src/ lambda_src/
RUN mkdir /handlers && python3 recipe.py "$(cat handlers.json)" lambda_src /handlers
COPY model/ /model/
RUN chmod -R a+rX /model

FROM base
# Only /tmp is writable, and Lambda's user has no home: libraries put what they cache, and their settings, there.
ENV HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba \
    XDG_CACHE_HOME=/tmp/cache \
    XDG_CONFIG_HOME=/tmp/config \
    XDG_DATA_HOME=/tmp/data
COPY --from=build /wheels/ /var/task/
COPY --from=build /model/ /var/task/model/
COPY --from=build /handlers/ /var/task/
# The function's own command, if it has one, takes its place.
CMD ["standard_handler.handler"]
