public import SagamoreKafkaClient
public import SagamoreServices

/// The settings of the Kafka front.
public struct KafkaFrontConfiguration: Sendable {
    /// How the topics of the routes and the cursor topic are created.
    public enum TopicCreation: Sendable {
        /// The front does not create them.
        case none
        /// By a request to the broker. Existing topics are not changed.
        case byRequest
        /// By a function of names and a number of partitions. The development broker takes no requests.
        case custom(@Sendable (_ names: [String], _ partitions: Int) throws(KafkaError) -> Void)
    }

    /// How to reach the brokers. The front sets its `log`, unless there is one.
    public var kafka: KafkaConfiguration
    /// The routes; each has a command topic of its own.
    public var routes: [Route]
    /// The topic whose partitions the publishers' cursors refer to. It holds no records and needs a partition for each
    /// shard.
    public var cursorTopic = "sagamore.cursors"
    /// How topics are created.
    public var topicCreation = TopicCreation.byRequest
    /// The number of partitions of created topics.
    public var partitions = 8
    /// The consumer group of the command topics. Nil means a group of this installation's own.
    public var consumerGroup: String?
    /// The cluster's name in a record's coordinates. Nil means the cluster's id; a development broker's may repeat.
    public var clusterID: String?
    /// The limits on the contents of commands, which may change.
    public var limits = LimitsInForce()
    /// The limits on commands in memory and in the shards.
    public var consumerLimits = ConsumerLimits()

    /// Creates a configuration.
    public init(kafka: KafkaConfiguration, routes: [Route] = [Route()]) {
        self.kafka = kafka
        self.routes = routes
    }

    /// Creates a configuration for the development broker `broker`.
    public init(development broker: KafkaDevelopmentBroker, routes: [Route] = [Route()]) {
        self.init(kafka: KafkaConfiguration(bootstrap: broker.bootstrap), routes: routes)
        clusterID = broker.clusterID
        topicCreation = .custom { names, partitions throws(KafkaError) in
            try broker.createTopics(names, partitions: partitions)
        }
    }
}
