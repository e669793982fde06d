"""Safeguards of clouds: audit, detection, protection against deletion, backups, borders."""

from wpk_sandbox.rules.shell.command import Command
from wpk_sandbox.rules.shell.phrases import meaning, table

_AUDIT = "stops the record of who did what"
_DETECTION = "switches off what would notice an attack"
_DELETION = "takes the protection against deletion away"
_RECOVERY = "takes earlier versions or backups away, by which a loss is undone"
_BORDER = "opens to everybody what a border kept shut"
_IDENTITY = "lowers what it takes to be let in"

# https://docs.aws.amazon.com/cli/latest/reference/, https://cloud.google.com/sdk/gcloud/reference,
# https://learn.microsoft.com/cli/azure/reference-index, https://attack.mitre.org/techniques/T1562/008/
_AWS = (
    (
        _AUDIT,
        """
        aws cloudtrail stop-logging|delete-trail|delete-event-data-store|stop-event-data-store-ingestion
        aws cloudtrail put-event-selectors --event-selectors=*IncludeManagementEvents*alse*
        aws cloudtrail update-trail --no-include-global-service-events|--no-is-multi-region-trail
        aws cloudtrail update-trail --no-enable-log-file-validation
        aws configservice stop-configuration-recorder|delete-configuration-recorder|delete-delivery-channel
        aws configservice delete-config-rule|delete-conformance-pack
        aws ec2 delete-flow-logs
        aws logs delete-log-group|delete-log-stream --log-group-name=*udit*|*rail*|*flow*|*uard*
        aws logs delete-subscription-filter
        aws route53resolver disassociate-resolver-query-log-config|delete-resolver-query-log-config
        aws eks update-cluster-config --logging=*enabled*alse*
        aws elbv2 modify-load-balancer-attributes --attributes=*access_logs*alse*
        aws wafv2 delete-logging-configuration
        """,
    ),
    (
        _DETECTION,
        """
        aws guardduty delete-detector|stop-monitoring-members|disassociate-members|delete-members
        aws guardduty disassociate-from-administrator-account|disassociate-from-master-account
        aws guardduty update-detector --no-enable
        aws guardduty update-detector --enable=false
        aws guardduty create-filter --action=ARCHIVE
        aws guardduty create-ip-set --activate
        aws securityhub disable-security-hub|batch-disable-standards|disable-import-findings-for-product
        aws inspector2 disable
        aws macie2 disable-macie
        aws detective delete-graph
        aws accessanalyzer delete-analyzer
        aws cloudwatch delete-alarms|disable-alarm-actions|delete-anomaly-detector
        aws wafv2 disassociate-web-acl|delete-web-acl
        aws shield delete-protection|disassociate-drt-role
        aws ecr put-image-scanning-configuration --image-scanning-configuration=*alse*
        aws network-firewall delete-firewall|delete-firewall-policy
        """,
    ),
    (
        _DELETION,
        """
        aws * --no-deletion-protection|--no-deletion-protection-enabled|--no-delete-protection
        aws * --deletion-protection=false|INACTIVE|DISABLED
        aws elbv2 modify-load-balancer-attributes --attributes=*deletion_protection*alse*
        aws ec2 modify-instance-attribute --no-disable-api-termination|--no-disable-api-stop
        aws ec2 modify-instance-attribute --disable-api-termination|--disable-api-stop=*alse*
        aws ec2 modify-instance-attribute --attribute=disableApiTermination --value=false|False
        aws cloudformation update-termination-protection --no-enable-termination-protection
        aws cloudformation set-stack-policy --stack-policy-body=*Allow*Update:[*]*
        aws cloudformation create-stack|update-stack|deploy|execute-change-set --disable-rollback
        aws backup delete-backup-vault-lock-configuration|delete-backup-vault-access-policy
        aws s3api put-object-legal-hold --legal-hold=*OFF*
        aws s3api put-object-retention|delete-object|delete-objects --bypass-governance-retention
        aws kms disable-key|disable-key-rotation
        """,
    ),
    (
        _RECOVERY,
        """
        aws s3api put-bucket-versioning --versioning-configuration=*Suspended*
        aws s3api put-bucket-versioning --versioning-configuration=*MFADelete=Disabled*
        aws s3api delete-bucket-replication|delete-bucket-encryption
        aws rds modify-db-instance|modify-db-cluster --backup-retention-period=0
        aws dynamodb update-continuous-backups --point-in-time-recovery-specification=*alse*
        aws backup delete-backup-plan|delete-backup-selection
        aws dlm delete-lifecycle-policy
        aws dlm update-lifecycle-policy --state=DISABLED
        aws elasticache modify-replication-group --snapshot-retention-limit=0
        aws efs put-backup-policy --backup-policy=*DISABLED*
        """,
    ),
    (
        _BORDER,
        """
        aws s3api|s3control delete-public-access-block
        aws s3api|s3control put-public-access-block --public-access-block-configuration=*alse*
        aws ec2 disable-image-block-public-access|disable-snapshot-block-public-access
        aws ec2 disable-ebs-encryption-by-default
        aws ec2 modify-instance-metadata-options --http-tokens=optional
        aws rds modify-db-instance --publicly-accessible
        aws redshift modify-cluster --publicly-accessible
        aws ec2 authorize-security-group-ingress --cidr=0.0.0.0/0 --protocol=-1|all
        aws ec2 authorize-security-group-ingress --cidr=0.0.0.0/0 \
            --port=22|3389|3306|5432|6379|27017|9200|2375|0-65535
        aws ec2 authorize-security-group-ingress --ip-permissions=*IpProtocol=-1*0.0.0.0/0*
        aws ec2 authorize-security-group-ingress --ip-permissions=*FromPort=22,*0.0.0.0/0*
        aws s3api put-bucket-policy --policy=*Allow*Principal*"[*]"*
        """,
    ),
    (
        _IDENTITY,
        """
        aws iam delete-account-password-policy|deactivate-mfa-device|delete-virtual-mfa-device
        aws iam delete-user-permissions-boundary|delete-role-permissions-boundary
        aws organizations leave-organization|disable-policy-type|detach-policy
        aws cognito-idp set-user-pool-mfa-config --mfa-configuration=OFF
        """,
    ),
)
_GOOGLE = (
    (
        _AUDIT,
        """
        gcloud logging sinks delete
        gcloud logging sinks update --disabled
        gcloud logging buckets|logs|metrics delete
        gcloud logging settings update --disable-default-sink
        gcloud compute networks subnets update --no-enable-flow-logs
        gcloud container clusters update --logging=NONE
        gcloud * update --no-enable-logging
        gcloud * update --no-enable-cloud-logging
        """,
    ),
    (
        _DETECTION,
        """
        gcloud services disable securitycenter.*|containersecurity.*|websecurityscanner.*|cloudasset.*|logging.*
        gcloud services disable monitoring.*|containerscanning.*|binaryauthorization.*|accesscontextmanager.*
        gcloud alpha|beta monitoring policies delete
        gcloud monitoring policies delete
        gcloud monitoring policies update --no-enabled
        gcloud alpha|beta monitoring policies update --no-enabled
        gcloud scc muteconfigs create
        gcloud compute security-policies delete
        gcloud container clusters update --no-enable-binauthz|--no-enable-network-policy|--no-enable-shielded-nodes
        gcloud container clusters update --binauthz-evaluation-mode=DISABLED
        gcloud container clusters update --no-enable-master-authorized-networks|--enable-legacy-authorization
        gcloud container clusters update --security-posture=disabled
        gcloud container binauthz policy import
        """,
    ),
    (
        _DELETION,
        """
        gcloud * --no-deletion-protection|--no-delete-protection|--no-enable-drop-protection
        gcloud * --deletion-protection=false
        gcloud alpha|beta|resource-manager liens delete
        gcloud resource-manager liens delete
        gcloud kms keys versions disable
        """,
    ),
    (
        _RECOVERY,
        """
        gcloud sql instances patch --no-backup|--no-enable-point-in-time-recovery
        gcloud storage buckets update --no-versioning|--clear-retention-period|--clear-soft-delete
        gcloud storage buckets update --soft-delete-duration=0|0s
        gsutil versioning set off
        gsutil retention clear
        gsutil retention event-default release
        """,
    ),
    (
        _BORDER,
        """
        gcloud storage buckets update --no-public-access-prevention|--no-uniform-bucket-level-access
        gsutil pap|publicaccessprevention set inherited|unspecified
        gsutil ubla|uniformbucketlevelaccess set off
        gcloud sql instances patch --authorized-networks=*0.0.0.0/0*
        gcloud sql instances patch --no-require-ssl
        gcloud sql instances patch --ssl-mode=ALLOW_UNENCRYPTED_AND_ENCRYPTED
        gcloud compute firewall-rules create|update --source-ranges=*0.0.0.0/0* \
            --allow|--rules=all|tcp|*tcp:22|*tcp:3389*
        gcloud container clusters update --master-authorized-networks=*0.0.0.0/0*
        gcloud resource-manager org-policies disable-enforce|delete
        gcloud org-policies delete|reset
        gcloud access-context-manager perimeters delete
        gcloud config set auth/disable_ssl_validation true|True
        """,
    ),
)
_AZURE = (
    (
        _AUDIT,
        """
        az monitor diagnostic-settings|log-profiles delete
        az network watcher flow-log delete
        az network watcher flow-log configure|update|create --enabled=false
        az sql server|db audit-policy update --state=Disabled|disabled
        az sql server audit-policy update --blob-storage-target-state=Disabled
        az storage logging off
        """,
    ),
    (
        _DETECTION,
        """
        az security pricing create --tier=free|Free
        az security auto-provisioning-setting update --auto-provision=Off|off
        az security contact|workspace-setting delete
        az monitor activity-log|metrics alert delete
        az monitor scheduled-query delete
        az network firewall|ddos-protection delete
        az network application-gateway waf-config set --enabled=false
        az network application-gateway waf-policy policy-setting update --mode=Detection
        az network application-gateway waf-policy policy-setting update --state=Disabled
        az policy assignment delete
        az policy exemption create
        az policy assignment update --enforcement-mode=DoNotEnforce
        az aks update --disable-defender
        az aks disable-addons --addons|-a=*azure-policy*|*monitoring*
        az sql db threat-policy update --state=Disabled
        az sentinel * delete
        """,
    ),
    (
        _DELETION,
        """
        az lock delete
        az resource|group|account lock delete
        az keyvault update --enable-purge-protection=false
        az backup protection disable
        az backup vault backup-properties set --soft-delete-feature-state|--soft-delete-state=Disable|Disabled
        """,
    ),
    (
        _RECOVERY,
        """
        az keyvault update --enable-soft-delete=false
        az storage account blob-service-properties update --enable-delete-retention=false
        az storage account blob-service-properties update --enable-versioning=false
        az storage account blob-service-properties update --enable-container-delete-retention=false
        az storage blob immutability-policy delete
        """,
    ),
    (
        _BORDER,
        """
        az storage account update --allow-blob-public-access=true
        az storage account|keyvault|acr|cosmosdb update --default-action=Allow
        az keyvault update --default-action=Allow
        az acr update --anonymous-pull-enabled
        az storage account update --https-only=false
        az * update --min-tls-version=TLS1_0|1.0
        az webapp|functionapp update|set --https-only=false
        az webapp|functionapp auth update --enabled=false
        az sql server firewall-rule create --start-ip-address=0.0.0.0 --end-ip-address=255.255.255.255
        az * flexible-server|server firewall-rule create --start-ip-address=0.0.0.0 --end-ip-address=255.255.255.255
        az sql db tde set --status=Disabled
        az network nsg rule create|update --source-address-prefixes=[*]|Internet|0.0.0.0/0 \
            --destination-port-ranges=[*]|22|3389 !Deny
        """,
    ),
)
_KNOWN = table(*_AWS, *_GOOGLE, *_AZURE)


def switched_off(command: Command) -> str:
    """Which safeguard of a cloud a command takes away, as the end of a sentence; empty if none."""
    return meaning(command, _KNOWN)
