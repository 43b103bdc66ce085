"""Where AWS lists each price: in which offer, under which usage type, and which attributes identify the product.

The names are those of AWS's price list. Usage types are written without the region's prefix (EU-, EUC1-): it differs
between offers, and most usage types in us-east-1 have none. Without it, `IA-WriteRequestUnits` (tables of the
infrequent-access class) and `TS-LoadBalancerUsage` (trust stores) in us-east-1 look like WriteRequestUnits and
LoadBalancerUsage with a prefix, so the usage type alone does not identify a product; the attributes are needed too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# EC2's public file has hundreds of MB for each region, so its prices come from the Price List Query API.
QUERIED_OFFERS = frozenset({"AmazonEC2"})

# AWS's names of a unit, which differ between offers and sometimes within one.
HOURS = ("Hrs", "Hours")
GB = ("GB",)
GB_MONTHS = ("GB-Mo",)
GB_SECONDS = ("Lambda-GB-Second", "Lambda-GB-Seconds", "GB-Second", "GB-Seconds")
REQUESTS = ("Request", "Requests")

EC2_TYPES = (
    *("c5.large", "c6g.large", "c6i.large", "c7g.large", "c7i.large"),
    *("g4dn.xlarge", "g5.xlarge", "g6.xlarge", "m5.large", "m6g.large"),
    *("t2.medium", "t3.medium", "t4g.medium", "t4g.small"),
)
HOSTING_TYPES = (
    *("ml.c5.large", "ml.c6g.large", "ml.c6i.large", "ml.c7g.large", "ml.c7i.large"),
    *("ml.g4dn.xlarge", "ml.m5.2xlarge", "ml.m5.large", "ml.m5.xlarge", "ml.m6g.large", "ml.t2.medium"),
)


@dataclass(frozen=True, kw_only=True)
class PriceSource:
    """How to find one price in AWS's list.

    Attributes:
        id: of the price in the snapshot.
        offer: AWS's code of the service's price list.
        usage_type: without the region's prefix.
        other_usage_type: its name in some regions, where it has two.
        attributes: that the product must have as well, with productFamily among them.
        unit: of the price in the snapshot.
        counted_in: AWS's names for the unit, in upper or lower case.
        divisor: AWS's price divided by this is the price of one `unit`.
        is_optional: whether a region may lack the product, as regions lack some instance types.
    """

    id: str
    offer: str
    usage_type: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    unit: str
    counted_in: tuple[str, ...]
    divisor: float = 1.0
    is_optional: bool = False
    other_usage_type: str = ""

    @property
    def is_queried(self) -> bool:
        """Whether it comes from the Query API, which needs credentials, rather than from the public files."""
        return self.offer in QUERIED_OFFERS

    def has_usage_type(self, usage_type: str) -> bool:
        """Whether this is its usage type, with or without a region's prefix."""
        names = "|".join(re.escape(name) for name in (self.usage_type, self.other_usage_type) if name)
        return re.fullmatch(rf"(?:[A-Z0-9]+-)?(?:{names})", usage_type, re.ASCII) is not None


def _lambda(price_id: str, usage_type: str, unit: str, counted_in: tuple[str, ...], group: str = "") -> PriceSource:
    return PriceSource(
        id=f"lambda.{price_id}",
        offer="AWSLambda",
        usage_type=usage_type,
        attributes={"group": group} if group else {},
        unit=unit,
        counted_in=counted_in,
    )


def _ec2(instance_type: str) -> PriceSource:
    return PriceSource(
        id=f"ec2.{instance_type}",
        offer="AmazonEC2",
        usage_type=f"BoxUsage:{instance_type}",
        attributes={
            "instanceType": instance_type,
            "operatingSystem": "Linux",
            "preInstalledSw": "NA",
            "tenancy": "Shared",
            "capacitystatus": "Used",
        },
        unit="USD/h, Linux, on demand",
        counted_in=HOURS,
        is_optional=True,
    )


def _credit(family: str) -> PriceSource:
    return PriceSource(
        id=f"ec2.credit.{family}",
        offer="AmazonEC2",
        usage_type=f"CPUCredits:{family}",
        attributes={"productFamily": "CPU Credits", "operatingSystem": "Linux"},
        unit="USD/vCPU-h above the baseline, unlimited mode",
        counted_in=("vCPU-Hours",),
    )


def _host(instance_type: str) -> PriceSource:
    return PriceSource(
        id=f"sagemaker.host.{instance_type}",
        offer="AmazonSageMaker",
        usage_type=f"Host:{instance_type}",
        attributes={"component": "Hosting"},
        unit="USD/h",
        counted_in=HOURS,
        is_optional=True,
    )


def _endpoint_data(direction: str) -> PriceSource:
    return PriceSource(
        id=f"sagemaker.data_{direction.lower()}_gb",
        offer="AmazonSageMaker",
        usage_type=f"Hst:Data-Bytes-{direction}",
        attributes={"operation": "Invoke-Endpoint"},
        unit="USD/GB",
        counted_in=GB,
    )


# Grouped by offer, since BulkFiles keeps only one file at a time.
SOURCES: tuple[PriceSource, ...] = (
    _lambda("gb_second", "Lambda-GB-Second", "USD/GB-s, x86", GB_SECONDS, "AWS-Lambda-Duration"),
    _lambda("arm.gb_second", "Lambda-GB-Second-ARM", "USD/GB-s, arm64", GB_SECONDS, "AWS-Lambda-Duration-ARM"),
    _lambda("request", "Request", "USD/request", REQUESTS, "AWS-Lambda-Requests"),
    _lambda("provisioned.gb_second", "Lambda-Provisioned-Concurrency", "USD/GB-s kept ready", GB_SECONDS),
    _lambda("provisioned.duration_gb_second", "Lambda-Provisioned-GB-Second", "USD/GB-s used", GB_SECONDS),
    _lambda("arm.ready_gb_second", "Lambda-Provisioned-Concurrency-ARM", "USD/GB-s kept ready, arm64", GB_SECONDS),
    _lambda("arm.used_gb_second", "Lambda-Provisioned-GB-Second-ARM", "USD/GB-s used, arm64", GB_SECONDS),
    _lambda(
        "snapstart.cache_gb_second",
        "Lambda-SnapStart-Cached-GB-S",
        "USD/GB-s of configured memory, per published version",
        (*GB_SECONDS, "GB-S"),
    ),
    _lambda(
        "snapstart.restore_gb",
        "Lambda-SnapStart-Restored-GB",
        "USD/GB of configured memory, per restore",
        (*GB, "Lambda-GB"),
    ),
    *(_host(instance_type) for instance_type in HOSTING_TYPES),
    PriceSource(
        id="sagemaker.host.storage_gb_month",
        offer="AmazonSageMaker",
        usage_type="Host:VolumeUsage.gp2",
        attributes={"volumeType": "General Purpose-Hosting"},
        unit="USD/GB-month",
        counted_in=GB_MONTHS,
    ),
    PriceSource(  # all six memory sizes cost the same for each GB
        id="sagemaker.serverless.gb_second",
        offer="AmazonSageMaker",
        usage_type="ServerlessInf:Mem-3GB",
        attributes={"productFamily": "ML Serverless"},
        unit="USD/GB-s",
        counted_in=("Second", "Seconds", "sec"),
        divisor=3.0,
    ),
    _endpoint_data("In"),
    _endpoint_data("Out"),
    PriceSource(
        id="sqs.request",
        offer="AWSQueueService",
        usage_type="Requests-Tier1",
        attributes={"group": "SQS-APIRequest-Tier1", "queueType": "Standard"},
        unit="USD/request of 64 KB",
        counted_in=REQUESTS,
        other_usage_type="Requests-RBP",  # in us-east-1
    ),
    PriceSource(
        id="s3.put",
        offer="AmazonS3",
        usage_type="Requests-Tier1",
        attributes={"group": "S3-API-Tier1"},
        unit="USD/request",
        counted_in=REQUESTS,
    ),
    PriceSource(
        id="s3.get",
        offer="AmazonS3",
        usage_type="Requests-Tier2",
        attributes={"group": "S3-API-Tier2"},
        unit="USD/request",
        counted_in=REQUESTS,
    ),
    PriceSource(
        id="s3.storage_gb_month",
        offer="AmazonS3",
        usage_type="TimedStorage-ByteHrs",
        attributes={"volumeType": "Standard"},
        unit="USD/GB-month",
        counted_in=GB_MONTHS,
    ),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html names the usage types.
    PriceSource(
        id="s3.batch.job",
        offer="AmazonS3",
        usage_type="BatchOperations-Jobs",
        unit="USD/job",
        counted_in=("Job", "Jobs", "Count", "Quantity"),
    ),
    PriceSource(
        id="s3.batch.object",
        offer="AmazonS3",
        usage_type="BatchOperations-Objects",
        unit="USD/object",
        counted_in=("Object", "Objects", "Count", "Quantity"),
    ),
    PriceSource(
        id="dynamodb.write_unit",
        offer="AmazonDynamoDB",
        usage_type="WriteRequestUnits",
        attributes={"group": "DDB-WriteUnits", "operation": "PayPerRequestThroughput"},
        unit="USD/write of 1 KB, on demand",
        counted_in=("WriteRequestUnits",),
    ),
    PriceSource(
        id="logs.ingest_gb",
        offer="AmazonCloudWatch",
        usage_type="DataProcessing-Bytes",
        attributes={"group": "Ingested Logs", "operation": "PutLogEvents"},
        unit="USD/GB",
        counted_in=GB,
    ),
    PriceSource(
        id="efs.storage_gb_month",
        offer="AmazonEFS",
        usage_type="TimedStorage-ByteHrs",
        attributes={"storageClass": "General Purpose"},
        unit="USD/GB-month, standard",
        counted_in=GB_MONTHS,
    ),
    PriceSource(
        id="efs.read_gb",
        offer="AmazonEFS",
        usage_type="ETDataAccess-Bytes",
        attributes={"accessType": "Read"},
        unit="USD/GB read, elastic throughput",
        counted_in=GB,
    ),
    PriceSource(
        id="vpc_endpoint.hour",
        offer="AmazonVPC",
        usage_type="VpcEndpoint-Hours",
        attributes={"productFamily": "VpcEndpoint", "endpointType": "PrivateLink"},
        unit="USD/h per interface endpoint and zone",
        counted_in=HOURS,
    ),
    PriceSource(
        id="vpc_endpoint.gb",
        offer="AmazonVPC",
        usage_type="VpcEndpoint-Bytes",
        attributes={"productFamily": "VpcEndpoint", "endpointType": "PrivateLink"},
        unit="USD/GB",
        counted_in=GB,
    ),
    PriceSource(
        id="ipv4.hour",
        offer="AmazonVPC",
        usage_type="PublicIPv4:InUseAddress",
        unit="USD/h per public address",
        counted_in=HOURS,
    ),
    PriceSource(
        id="websocket.message",
        offer="AmazonApiGateway",
        usage_type="ApiGatewayMessage",
        attributes={"operation": "ApiGatewayWebSocket"},
        unit="USD/message of 32 KB",
        counted_in=("Message", "Messages"),
    ),
    PriceSource(
        id="websocket.minute",
        offer="AmazonApiGateway",
        usage_type="ApiGatewayMinute",
        attributes={"operation": "ApiGatewayWebSocket"},
        unit="USD/connection-minute",
        counted_in=("Minute", "Minutes"),
    ),
    PriceSource(
        id="nlb.hour",
        offer="AWSELB",
        usage_type="LoadBalancerUsage",
        attributes={"productFamily": "Load Balancer-Network", "operation": "LoadBalancing:Network"},
        unit="USD/h",
        counted_in=HOURS,
    ),
    PriceSource(
        id="nlb.lcu_hour",
        offer="AWSELB",
        usage_type="LCUUsage",
        attributes={"productFamily": "Load Balancer-Network", "operation": "LoadBalancing:Network"},
        unit="USD/h per capacity unit",
        counted_in=("LCU-Hrs",),
    ),
    PriceSource(
        id="ecr.gb_month",
        offer="AmazonECR",
        usage_type="TimedStorage-ByteHrs",
        attributes={"productFamily": "EC2 Container Registry"},
        unit="USD/GB-month",
        counted_in=GB_MONTHS,
    ),
    *(_ec2(instance_type) for instance_type in EC2_TYPES),
    *(_credit(family) for family in ("t2", "t3", "t4g")),
    PriceSource(
        id="ebs.gp3_gb_month",
        offer="AmazonEC2",
        usage_type="EBS:VolumeUsage.gp3",
        attributes={"productFamily": "Storage", "volumeApiName": "gp3"},
        unit="USD/GB-month",
        counted_in=GB_MONTHS,
    ),
    PriceSource(
        id="nat.hour",
        offer="AmazonEC2",
        usage_type="NatGateway-Hours",
        attributes={"productFamily": "NAT Gateway", "group": "NGW:NatGateway"},
        unit="USD/h",
        counted_in=HOURS,
    ),
    PriceSource(
        id="nat.gb",
        offer="AmazonEC2",
        usage_type="NatGateway-Bytes",
        attributes={"productFamily": "NAT Gateway", "group": "NGW:NatGateway"},
        unit="USD/GB",
        counted_in=GB,
    ),
)
